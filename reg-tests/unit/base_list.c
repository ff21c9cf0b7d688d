/*
 * base_list - order, unlinking, and walks that change the list under them.
 */
#include "base/list.h"

#include "unit.h"

struct item {
    int number;
    struct list link;
};

static struct item items[5];
static struct list head;

static void fill(size_t n)
{
    list_init(&head);
    for (size_t i = 0; i < n; i++) {
        items[i].number = (int)i;
        list_init(&items[i].link);
        list_push_back(&head, &items[i].link);
    }
}

/* The numbers in the list as digits, forwards; checks the way back too. */
static int digits(void)
{
    int number = 0;
    int back = 0;
    int place = 1;

    list_each(at, keep, &head)
        number = number * 10 + list_owner(at, struct item, link)->number + 1;
    for (struct list *l = head.prev; l != &head; l = l->prev, place *= 10)
        back += place * (list_owner(l, struct item, link)->number + 1);
    CU_ASSERT_EQUAL(number, back);
    return number;
}

static void order_is_as_pushed(void)
{
    fill(3);
    CU_ASSERT_EQUAL(digits(), 123);
    list_unlink(&items[1].link);
    CU_ASSERT_EQUAL(digits(), 13);
    list_push_front(&head, &items[1].link);
    CU_ASSERT_EQUAL(digits(), 213);
    list_unlink(&items[0].link);
    list_insert_before(&items[2].link, &items[0].link);
    CU_ASSERT_EQUAL(digits(), 213);
}

static void unlinking_twice_is_harmless(void)
{
    fill(2);
    list_unlink(&items[0].link);
    CU_ASSERT(list_is_empty(&items[0].link));
    list_unlink(&items[0].link);
    CU_ASSERT_EQUAL(digits(), 2);
    list_unlink(&items[1].link);
    CU_ASSERT(list_is_empty(&head));
}

static void pop_takes_the_first(void)
{
    fill(2);
    CU_ASSERT_PTR_EQUAL(list_pop_front(&head), &items[0].link);
    CU_ASSERT(list_is_empty(&items[0].link));
    CU_ASSERT_PTR_EQUAL(list_pop_front(&head), &items[1].link);
    CU_ASSERT_PTR_NULL(list_pop_front(&head));
}

static void a_walk_may_unlink_where_it_stands(void)
{
    unsigned seen = 0;

    fill(5);
    list_each(at, keep, &head)
    {
        seen++;
        if (list_owner(at, struct item, link)->number % 2 == 0) {
            list_unlink(at);
            at->next = NULL; /* as freed */
        }
    }
    CU_ASSERT_EQUAL(seen, 5);
    CU_ASSERT_EQUAL(digits(), 24);
}

UNIT_SUITE(base_list)
{
    UNIT_TEST(order_is_as_pushed);
    UNIT_TEST(unlinking_twice_is_harmless);
    UNIT_TEST(pop_takes_the_first);
    UNIT_TEST(a_walk_may_unlink_where_it_stands);
}
