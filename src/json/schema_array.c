/* SPDX-License-Identifier: MIT */
/* The keywords of arrays. */
#include "json/schema_checker.h"

#include <reeve/error.h>

#include "json/equal.h"

enum { FEW = 12 }; /* elements that are compared each with each */

/* ---- uniqueItems --------------------------------------------------------------------------------
 */

/* Two equal elements, the first of them first; the array's count if there are none. */
struct twins {
    uint32_t first;
    uint32_t second;
};

static void compare_all(struct rv_checker *checker, const struct reeve_json *array,
                        struct twins *ret_twins)
{
    uint32_t i, j;

    for (j = 1; j < array->count; j++)
        for (i = 0; i < j; i++)
            if (rv_json_equal(&array->as.elements[i], &array->as.elements[j], &checker->fuel)) {
                *ret_twins = (struct twins){i, j};
                return;
            }
}

/* A slot holds an element's index plus one and a part of its hash. */
struct slot {
    uint32_t number;
    uint32_t hash;
};

static void fill_table(struct rv_checker *checker, const struct reeve_json *array,
                       struct slot *slots, uint32_t mask, struct twins *ret_twins)
{
    uint32_t i, at, hash;
    uint64_t whole;

    for (i = 0; i < array->count && checker->fuel; i++) {
        const struct reeve_json *element = &array->as.elements[i];

        whole = rv_json_value_hash(checker->schema->seed, element, &checker->fuel);
        hash = (uint32_t)(whole >> 32);
        for (at = (uint32_t)whole & mask; slots[at].number; at = (at + 1) & mask) {
            if (slots[at].hash != hash ||
                !rv_json_equal(&array->as.elements[slots[at].number - 1], element, &checker->fuel))
                continue;
            *ret_twins = (struct twins){slots[at].number - 1, i};
            return;
        }
        slots[at] = (struct slot){i + 1, hash};
    }
}

static void look_up_all(struct rv_checker *checker, const struct reeve_json *array,
                        struct twins *ret_twins)
{
    struct rv_mem *mem = checker->schema->mem;
    uint32_t count = 32;
    struct slot *slots;

    while (count < UINT32_C(1) << 31 && count / 2 < array->count)
        count *= 2;
    slots = rv_alloc_array(mem, count, sizeof slots[0]);
    if (!slots) {
        rv_check_give_up(checker, REEVE_ENOMEM, "out of memory");
        return;
    }
    fill_table(checker, array, slots, count - 1, ret_twins);
    rv_free(mem, slots);
}

static bool check_unique(struct rv_checker *checker, const struct reeve_json *array)
{
    struct twins twins;

    do {
        twins = (struct twins){array->count, array->count};
        if (array->count <= FEW)
            compare_all(checker, array, &twins);
        else
            look_up_all(checker, array, &twins);
    } while (rv_check_refuel(checker));
    if (checker->error)
        return false;
    if (twins.second == array->count)
        return true;
    return rv_fault(checker, array, "elements that all differ (%u and %u are the same)",
                    twins.first, twins.second);
}

/* ---- the others ---------------------------------------------------------------------------------
 */

static bool refuse_count(struct rv_checker *checker, const struct reeve_json *array,
                         const char *bound, uint32_t wanted)
{
    return rv_fault(checker, array, "%s %u element%s", bound, wanted, wanted == 1 ? "" : "s");
}

static bool check_elements(struct rv_checker *checker, const struct rv_schema_node *node,
                           const struct reeve_json *array)
{
    uint32_t i;
    bool fits = true;

    if (!node->items && !node->prefix.count)
        return true;
    for (i = 0; i < array->count && !rv_check_over(checker, fits); i++) {
        const struct rv_schema_node *element =
            i < node->prefix.count ? node->prefix.nodes[i] : node->items;

        if (!element)
            break;
        fits &= rv_check_inside(checker, element, &array->as.elements[i], NULL, 0, i);
    }
    return fits;
}

static bool check_contains(struct rv_checker *checker, const struct rv_schema_node *node,
                           const struct reeve_json *array)
{
    struct rv_check_fault fault;
    uint32_t i, found = 0;

    for (i = 0; i < array->count && found <= node->max_contains && !checker->error; i++) {
        if (found >= node->min_contains && node->max_contains == UINT32_MAX)
            break;
        found += rv_check_quietly(checker, node->contains, &array->as.elements[i]);
    }
    if (checker->error)
        return false;
    if (found >= node->min_contains && found <= node->max_contains)
        return true;
    if (!rv_fault_begin(checker, &fault))
        return false;
    if (found < node->min_contains)
        rv_say(&fault.saying, "at least %u element%s (there %s %u) that %s ", node->min_contains,
               node->min_contains == 1 ? "" : "s", found == 1 ? "is" : "are", found,
               node->min_contains == 1 ? "is" : "are each");
    else
        rv_say(&fault.saying, "no more than %u elements that are each ", node->max_contains);
    rv_say_wanted(&fault.saying, node->contains);
    return rv_fault_end(checker, &fault, array);
}

bool rv_check_array(struct rv_checker *checker, const struct rv_schema_node *node,
                    const struct reeve_json *array)
{
    bool fits;

    if (array->count < node->min_items)
        return refuse_count(checker, array, "at least", node->min_items);
    if (array->count > node->max_items)
        return refuse_count(checker, array, "at most", node->max_items);
    fits = check_elements(checker, node, array);
    if (node->contains && !rv_check_over(checker, fits))
        fits &= check_contains(checker, node, array);
    if (node->unique && fits)
        fits = check_unique(checker, array);
    return fits;
}
