/* SPDX-License-Identifier: MIT */
/* The heap against a list that is searched, with the shape of the tree checked at each step. */
#include "base/heap.h"

#include "tests/lib/test.h"

#define ITEMS 300
#define STEPS 20000
#define DEPTH_MAX 24

struct item {
    struct rv_heap_node node;
    uint64_t key;
    bool in;
};

static struct item *item_of(struct rv_heap_node *node)
{
    return rv_heap_entry(node, struct item, node);
}

static bool before(struct rv_heap_node *a, struct rv_heap_node *b)
{
    return item_of(a)->key < item_of(b)->key;
}

/* A complete tree of n nodes: the one numbered i is reached by the bits of i, and hangs together.
 */
static void check_shape(const struct rv_heap *heap)
{
    struct rv_heap_node *level[DEPTH_MAX] = {heap->root};
    size_t depth, number, parent_depth;
    struct rv_heap_node *node;

    for (number = 2; number <= heap->count; number++) {
        for (depth = 0; number >> (depth + 1); depth++)
            ;
        for (parent_depth = 0; parent_depth < depth; parent_depth++) {
            node = level[parent_depth];
            level[parent_depth + 1] =
                (number >> (depth - parent_depth - 1)) & 1 ? node->right : node->left;
        }
        node = level[depth];
        cr_assert_not_null(node, "place %zu of %zu is empty", number, heap->count);
        cr_assert_eq(node->parent, level[depth - 1]);
        cr_assert(!heap->before(node, node->parent), "place %zu is out of order", number);
    }
    cr_assert(heap->count ? !heap->root->parent : !heap->root);
}

static void check_first(const struct rv_heap *heap, const struct item *items)
{
    const struct item *first = NULL;
    size_t count = 0;
    size_t i;

    for (i = 0; i < ITEMS; i++) {
        if (!items[i].in)
            continue;
        count++;
        if (!first || items[i].key < first->key)
            first = &items[i];
    }
    cr_assert_eq(heap->count, count);
    cr_assert_eq(rv_heap_first(heap), first ? &first->node : NULL);
}

RV_TEST(heap, agrees_with_a_search)
{
    static struct item items[ITEMS];
    struct rv_heap heap;
    uint64_t dice;
    struct item *item;
    int step;

    rv_heap_init(&heap, before);
    for (step = 0; step < STEPS; step++) {
        dice = rv_test_random(t);
        item = &items[dice % ITEMS];
        if (dice >> 62 == 0 && rv_heap_first(&heap))
            item = item_of(rv_heap_first(&heap));
        if (item->in) {
            rv_heap_remove(&heap, &item->node);
        } else {
            /* The step makes it unique, as the sequence number of a timer does. */
            item->key = (rv_test_random(t) % 50) * STEPS + (uint64_t)step;
            rv_heap_insert(&heap, &item->node);
        }
        item->in = !item->in;
        check_first(&heap, items);
        if (step % 16 == 0)
            check_shape(&heap);
    }
}

RV_TEST(heap, comes_out_in_order)
{
    struct item *items = rv_alloc_array(t->mem, 100000, sizeof *items);
    struct rv_heap heap;
    uint64_t last = 0;
    struct item *item;
    size_t i;

    cr_assert_not_null(items);
    rv_heap_init(&heap, before);
    for (i = 0; i < 100000; i++) {
        items[i].key = rv_test_random(t) >> 1;
        rv_heap_insert(&heap, &items[i].node);
    }
    check_shape(&heap);
    for (i = 0; i < 100000; i++) {
        item = item_of(rv_heap_first(&heap));
        cr_assert_geq(item->key, last);
        last = item->key;
        rv_heap_remove(&heap, &item->node);
    }
    cr_assert_null(rv_heap_first(&heap));
    rv_free(t->mem, items);
}

/* The steps of one removal, for which a pairing heap would take n after n insertions. */
static size_t comparisons;

static bool before_counted(struct rv_heap_node *a, struct rv_heap_node *b)
{
    comparisons++;
    return before(a, b);
}

RV_TEST(heap, the_worst_removal_is_logarithmic)
{
    struct item *items = rv_alloc_array(t->mem, 100000, sizeof *items);
    struct rv_heap heap;
    size_t worst = 0;
    size_t i;

    cr_assert_not_null(items);
    rv_heap_init(&heap, before_counted);
    for (i = 0; i < 100000; i++) {
        items[i].key = i;
        rv_heap_insert(&heap, &items[i].node);
    }
    while (rv_heap_first(&heap)) {
        comparisons = 0;
        rv_heap_remove(&heap, rv_heap_first(&heap));
        worst = comparisons > worst ? comparisons : worst;
    }
    cr_assert_leq(worst, 2 * 17 + 1, "%zu comparisons", worst);
    cr_assert_geq(worst, 17, "%zu comparisons: was anything counted?", worst);
    rv_free(t->mem, items);
}
