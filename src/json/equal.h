/* SPDX-License-Identifier: MIT */
/* Whether two values are the same: the order of members and the spelling of numbers are nothing. */
#ifndef RV_JSON_EQUAL_H
#define RV_JSON_EQUAL_H

#include <stdbool.h>
#include <stdint.h>

#include <reeve/json.h>

/* `steps` is lessened by what was looked at; at 0 the rest is not, and the answer means nothing. */
bool rv_json_equal(const struct reeve_json *a, const struct reeve_json *b, uint64_t *steps);

/* The same for equal values. What lies deep inside may not be looked at. */
uint64_t rv_json_value_hash(uint64_t seed, const struct reeve_json *value, uint64_t *steps);

#endif
