/*
 * Ouroboros: flow sets (c-api §7)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

/* Issue 2 and flow-memory §6: 31 is the least, ours are 1,024. */
#define MOST_SETS 1024

static void check_null(int fd)
{
    fset_destroy(NULL);
    fset_zero(NULL);
    fset_del(NULL, fd);
    fqueue_destroy(NULL);
    CHECK(true, "NULL is ignored where something ends");
    CHECK_RESULT(fset_add(NULL, fd), -EINVAL, "fset_add to NULL");
    CHECK(!fset_has(NULL, fd), "NULL has no flow");
}

static void check_wrong(fset_t * set)
{
    const int fds[] = { -1, 0, 63, 200, LAST_FD + 1 };
    size_t    i;

    for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        CHECK_RESULT(fset_add(set, fds[i]), -EINVAL,
                     "fset_add of %d, which is no flow", fds[i]);
        CHECK(!fset_has(set, fds[i]), "nor is it in the set");
        fset_del(set, fds[i]);
    }
}

static void check_one_set_each(int fd)
{
    fset_t * set = fset_create();
    fset_t * other = fset_create();

    CHECK(!fset_has(set, fd), "a flow is in no set");
    CHECK_RESULT(fset_add(set, fd), 0, "it is added to one");
    CHECK(fset_has(set, fd), "there it is");
    CHECK(!fset_has(other, fd), "and in no other");
    CHECK_RESULT(fset_add(set, fd), -EPERM, "it cannot be added again");
    CHECK_RESULT(fset_add(other, fd), -EPERM, "nor to another set");
    CHECK(fset_has(set, fd), "it is where it was");

    fset_del(other, fd);
    CHECK(fset_has(set, fd), "taking it out of another set does nothing");
    fset_del(set, fd);
    CHECK(!fset_has(set, fd), "it is taken out");
    fset_del(set, fd);
    CHECK_RESULT(fset_add(other, fd), 0, "then it can be added to another");
    CHECK(fset_has(other, fd), "there it is");

    fset_zero(other);
    CHECK(!fset_has(other, fd), "that set is emptied");
    CHECK_RESULT(fset_add(set, fd), 0, "the flow can be added again");
    fset_destroy(set);
    CHECK_RESULT(fset_add(other, fd), 0, "also when its set is given up");
    fset_destroy(other);
}

static void check_dealloc(void)
{
    const char *     name = own_name("again");
    struct flow_pair pair = flow_pair_start("dealloc", NULL);
    fset_t *         set = fset_create();
    int              fd = pair.fd;

    CHECK_RESULT(fset_add(set, fd), 0, "a flow is added to a set");
    CHECK_RESULT(flow_dealloc(fd), 0, "and deallocated");
    CHECK(!fset_has(set, fd), "it is not in the set");
    CHECK_RESULT(fset_add(set, fd), -EINVAL, "and cannot be");

    MUST(agent_bind(&pair.agent, name) == 0, "another name");
    flow_pair_more(&pair.agent, name, NULL, &pair.fd, &pair.peer);
    CHECK_RESULT(pair.fd, fd, "the next flow has the descriptor");
    CHECK(!fset_has(set, fd), "but is not in the set");
    CHECK_RESULT(fset_add(set, fd), 0, "it can be added");
    CHECK(fset_has(set, fd), "there it is");
    fset_destroy(set);
    flow_pair_end(&pair);
}

static void check_many_sets(void)
{
    static fset_t * sets[MOST_SETS];
    int             count;
    int             i;

    for (count = 0; count < MOST_SETS; count++) {
        sets[count] = fset_create();
        if (sets[count] == NULL)
            break;
    }
    CHECK(count >= 31, "31 sets and more");
    CHECK_RESULT(count, MOST_SETS, "1,024 sets");
    CHECK(fset_create() == NULL, "but not one more");

    for (i = 0; i < count; i++)
        fset_destroy(sets[i]);
    sets[0] = fset_create();
    CHECK(sets[0] != NULL, "there is another when they are given up");
    fset_destroy(sets[0]);
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;
    fset_t *         set;

    conformance_begin(argc, argv);

    pair = flow_pair_start("sets", NULL);
    set = fset_create();
    REQUIRE(set != NULL, "a set is created");
    check_null(pair.fd);
    check_wrong(set);
    fset_destroy(set);
    check_one_set_each(pair.fd);
    flow_pair_end(&pair);
    check_dealloc();
    check_many_sets();

    return conformance_end();
}
