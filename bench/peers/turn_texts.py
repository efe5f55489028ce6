# SPDX-License-Identifier: MIT
# What is asked and what has to be answered, as bench/server.h has it.
IN_FLIGHT = 64

ANSWER = (
    b'{"id":"answer-0123456789","object":"bench.answer","text":"Two hundred bytes are what the '
    b"answer to a small request has; it is compared with what was expected, byte by byte, by all "
    b'who ask.","more":false}'
)

QUESTION = (
    b'{"id":"question-0123456789","object":"bench.question","text":"A small request, about as '
    b'long as its answer is.","more":false}'
)
