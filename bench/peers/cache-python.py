# SPDX-License-Identifier: MIT
# Kept results of tools in Python: found by the SHA-256 of the tool and its sorted arguments, the least
# recently used dropped first; of files with their identity, which is looked at.
#   cache-python.py tool | file FOLDER COUNT TIMES
import collections
import hashlib
import json
import os
import sys
import time

CALLS, KEPT = 100000, 1000


class Cache:
    def __init__(self):
        self.kept = collections.OrderedDict()

    def key(self, tool, arguments):
        text = json.dumps({"tool": tool, "arguments": arguments}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def find(self, key):
        found = self.kept.get(key)
        if found is not None:
            self.kept.move_to_end(key)
        return found

    def keep(self, key, result):
        self.kept[key] = result
        if len(self.kept) > KEPT:
            self.kept.popitem(last=False)


cache = Cache()
runs = 0


def look(text):
    global runs
    arguments = json.loads(text)
    key = cache.key("look", arguments)
    result = cache.find(key)
    if result is None:
        runs += 1
        result = arguments["path"]
        cache.keep(key, result)
    return result


def identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def read_file(text):
    global runs
    arguments = json.loads(text)
    key = cache.key("read_file", arguments)
    path = arguments["path"]
    found = cache.find(key)
    if found is not None and found[0] == identity(path):
        return found[1]
    runs += 1
    with open(path, encoding="utf-8") as file:
        result = file.read()
    cache.keep(key, (identity(path), result))
    return result


def timed(tool, texts):
    start = time.process_time_ns()
    results = [tool(text) for text in texts]
    assert all(results)
    return (time.process_time_ns() - start) / len(texts)


def main():
    global runs
    if sys.argv[1] == "tool":
        texts = ['{"path":"so/f%05d.txt"}' % (number % KEPT) for number in range(CALLS)]
        timed(look, texts)
        timed(look, texts)
        runs = 0
        print(timed(look, texts))
    else:
        os.chdir(sys.argv[2])
        texts = ['{"path":"f%05d.txt"}' % number for number in range(int(sys.argv[3]))]
        timed(read_file, texts)
        runs = 0
        print(timed(read_file, texts * int(sys.argv[4])) / 1000)
    assert not runs


main()
