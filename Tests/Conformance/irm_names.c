/*
 * Ouroboros: management of names (c-api §9)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "management.h"

static struct name_info info_of(const char * name)
{
    struct name_info info;

    memset(&info, 0, sizeof(info));
    snprintf(info.name, sizeof(info.name), "%s", name);
    return info;
}

static void check_arguments(void)
{
    struct name_info info = info_of("");

    CHECK_RESULT(irm_create_name(NULL), -EINVAL, "create NULL");
    CHECK(irm_create_name(&info) < 0, "create a name of no bytes");
    /* Without the NUL that a name of 255 bytes has room for. */
    memset(info.name, 'n', sizeof(info.name));
    CHECK_RESULT(irm_create_name(&info), -EINVAL, "create one of 256 bytes");
    info = info_of(own_name("policy"));
    info.pol_lb = LB_INVALID;
    CHECK(irm_create_name(&info) < 0, "create one with an unknown policy");

    CHECK_RESULT(irm_destroy_name(NULL), -EINVAL, "destroy NULL");
    CHECK_RESULT(irm_destroy_name(own_name("unknown")), -1,
                 "destroy what does not exist");
    CHECK_RESULT(irm_list_names(NULL), -EINVAL, "list into NULL");
}

static bool is_empty(const struct name_sec_paths * paths)
{
    return paths->enc[0] == '\0' && paths->key[0] == '\0'
        && paths->crt[0] == '\0';
}

static void check_life(void)
{
    const char *     name = own_name("life");
    struct name_info info = info_of(name);
    struct name_info listed;

    info.pol_lb = LB_RR;
    CHECK(!name_listed(name, &listed), "a name does not exist");
    CHECK_RESULT(irm_create_name(&info), 0, "it is created");
    REQUIRE(name_listed(name, &listed), "and listed");
    CHECK(strcmp(listed.name, name) == 0, "as it was given");
    CHECK_RESULT(listed.pol_lb, LB_RR, "with its policy");
    /* SHOULD: the prototype leaves in them what there was in its memory. */
    CHECK(is_empty(&listed.s) && is_empty(&listed.c), "and no paths");

    CHECK_RESULT(irm_create_name(&info), 0, "creating it again is no error");
    CHECK_RESULT(irm_destroy_name(name), 0, "it is destroyed");
    CHECK(!name_listed(name, &listed), "and listed no more");
    CHECK_RESULT(irm_destroy_name(name), -1, "and cannot be destroyed again");

    info.pol_lb = LB_SPILL;
    CHECK_RESULT(irm_create_name(&info), 0, "it is created with spillover");
    CHECK(name_listed(name, &listed) && listed.pol_lb == LB_SPILL,
          "which is listed");
    CHECK_RESULT(irm_destroy_name(name), 0, "it is destroyed");
}

/* SHOULD: zeroed or filled. */
static void check_paths(void)
{
    const char *     name = own_name("paths");
    struct name_info info = info_of(name);
    struct name_info listed;

    snprintf(info.s.enc, sizeof(info.s.enc), "/somewhere/server-enc.conf");
    snprintf(info.s.key, sizeof(info.s.key), "/somewhere/server-key.pem");
    snprintf(info.s.crt, sizeof(info.s.crt), "/somewhere/server-crt.pem");
    memset(info.c.enc, 'p', sizeof(info.c.enc) - 1);
    info.c.enc[0] = '/';
    CHECK_RESULT(irm_create_name(&info), 0, "a name with paths");
    REQUIRE(name_listed(name, &listed), "is listed");
    CHECK(is_empty(&listed.s) || memcmp(&listed.s, &info.s, sizeof(info.s)) == 0,
          "with the server's or none");
    CHECK(is_empty(&listed.c) || memcmp(&listed.c, &info.c, sizeof(info.c)) == 0,
          "and the client's, of 511 bytes, or none");
    CHECK_RESULT(irm_destroy_name(name), 0, "it is destroyed");
}

/* Any bytes make a name. The row has 254 of them listed. */
static void check_bytes(void)
{
    char             longest[NAME_SIZE + 1];
    const char *     names[] = { "n", "two words", "\303\244\377\001", longest };
    struct name_info listed;
    size_t           i;

    memset(longest, 'x', NAME_SIZE);
    longest[NAME_SIZE] = '\0';
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK_RESULT(name_create(names[i]), 0, "a name of %zu bytes",
                     strlen(names[i]));
        CHECK(name_listed(names[i], &listed), "is listed");
        CHECK_RESULT(irm_destroy_name(names[i]), 0, "and destroyed");
    }
}

/* Issue 2 has 5,000 names: a list is longer than a message to irmd. */
static void check_many(void)
{
    const int          many = 5000;
    struct name_info * list = NULL;
    char               tag[16];
    ssize_t            before = irm_list_names(&list);
    ssize_t            after;
    int                count;

    free(list);
    for (count = 0; count < many; count++) {
        snprintf(tag, sizeof(tag), "%d", count);
        if (name_create(own_name(tag)) != 0)
            break;
    }
    CHECK_RESULT(count, many, "5,000 names are created");
    after = irm_list_names(&list);
    CHECK_RESULT(after, before + many, "and listed");
    free(list);
    for (count = 0; count < many; count++) {
        snprintf(tag, sizeof(tag), "%d", count);
        if (irm_destroy_name(own_name(tag)) != 0)
            break;
    }
    CHECK_RESULT(count, many, "and destroyed");
    CHECK_RESULT(irm_list_names(&list), before, "none is left");
    free(list);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_life();
    check_paths();
    check_bytes();
    check_many();

    return conformance_end();
}
