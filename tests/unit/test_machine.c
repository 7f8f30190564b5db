/* The machine's limits, read from trees of files that look like control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine.h"

#include <cmocka.h>

enum { PATH_SIZE = 512 };

struct tree {
    char root[64];
};

static void tree_init(struct tree *tree)
{
    strcpy(tree->root, "/tmp/lossd-machine-XXXXXX");
    assert_non_null(mkdtemp(tree->root));
}

/* Removes the tree, whose name nobody else has chosen. */
static void tree_release(struct tree *tree)
{
    char command[PATH_SIZE];

    snprintf(command, sizeof command, "rm -r '%s'", tree->root);
    assert_int_equal(system(command), 0);
}

/* A file with that text, and the folders above it. */
static void tree_add(struct tree *tree, const char *name, const char *text)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s%s", tree->root, name);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void machine__finds_the_lowest_memory_limit_of_its_groups(void **state)
{
    (void)state;
    struct tree tree;

    tree_init(&tree);
    tree_add(&tree, "/proc/self/cgroup", "0::/a.slice/b.service\n");
    tree_add(&tree, "/sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
    assert_int_equal(machine_memory_limit(tree.root), 0);
    tree_add(&tree, "/sys/fs/cgroup/a.slice/memory.max", "4096000\n");
    assert_int_equal(machine_memory_limit(tree.root), 4096000);
    tree_add(&tree, "/sys/fs/cgroup/a.slice/b.service/memory.max", "5000000\n");
    assert_int_equal(machine_memory_limit(tree.root), 4096000);
    tree_add(&tree, "/sys/fs/cgroup/a.slice/b.service/memory.max", "2048000\n");
    assert_int_equal(machine_memory_limit(tree.root), 2048000);
    tree_release(&tree);
}

static void machine__finds_the_limit_of_version_1(void **state)
{
    (void)state;
    struct tree tree;

    tree_init(&tree);
    tree_add(&tree, "/proc/self/cgroup",
             "9:memory:/docker/1234\n4:cpu,cpuacct:/docker/1234\n0::/\n");
    tree_add(&tree, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
    assert_int_equal(machine_memory_limit(tree.root), 0);
    tree_add(&tree, "/sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes",
             "67108864\n");
    assert_int_equal(machine_memory_limit(tree.root), 67108864);
    tree_release(&tree);
}

/* The name in /proc is the host's; the container sees its own group at the top. */
static void machine__finds_the_limit_at_the_top_inside_a_container(void **state)
{
    (void)state;
    struct tree tree;

    tree_init(&tree);
    tree_add(&tree, "/proc/self/cgroup", "9:memory:/docker/1234\n");
    tree_add(&tree, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n");
    assert_int_equal(machine_memory_limit(tree.root), 67108864);
    tree_release(&tree);
}

static void machine__is_not_limited_by_what_it_cannot_read(void **state)
{
    (void)state;
    struct tree tree;
    size_t free_cores = machine_cores("/nowhere");

    assert_true(free_cores >= 1);
    assert_int_equal(machine_memory_limit("/nowhere"), 0);
    tree_init(&tree);
    tree_add(&tree, "/proc/self/cgroup", "\nno colons\n1:memory\n0::/a\n");
    tree_add(&tree, "/sys/fs/cgroup/a/memory.max", "");
    tree_add(&tree, "/sys/fs/cgroup/a/cpu.max", "many\n");
    assert_int_equal(machine_memory_limit(tree.root), 0);
    assert_int_equal(machine_cores(tree.root), free_cores);
    tree_release(&tree);
}

static void machine__counts_cores_by_the_quota_rounded_up(void **state)
{
    (void)state;
    struct tree tree;

    tree_init(&tree);
    tree_add(&tree, "/proc/self/cgroup", "0::/a\n");
    tree_add(&tree, "/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    assert_int_equal(machine_cores(tree.root), 1);
    tree_add(&tree, "/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    assert_int_equal(machine_cores(tree.root), machine_cores("/nowhere"));
    if (machine_cores("/nowhere") < 2) {
        print_message("one core here: a quota of more cannot be told from none\n");
    } else {
        tree_add(&tree, "/sys/fs/cgroup/a/cpu.max", "100001 100000\n");
        assert_int_equal(machine_cores(tree.root), 2);
        tree_add(&tree, "/sys/fs/cgroup/cpu.max", "100000 100000\n");
        assert_int_equal(machine_cores(tree.root), 1);
    }
    tree_release(&tree);
}

static void machine__knows_the_quota_of_version_1(void **state)
{
    (void)state;
    struct tree tree;

    tree_init(&tree);
    tree_add(&tree, "/proc/self/cgroup", "3:cpuset:/x\n4:cpu,cpuacct:/a\n");
    tree_add(&tree, "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    tree_add(&tree, "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    assert_int_equal(machine_cores(tree.root), machine_cores("/nowhere"));
    tree_add(&tree, "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "100000\n");
    assert_int_equal(machine_cores(tree.root), 1);
    tree_release(&tree);
}

static void machine__has_memory(void **state)
{
    (void)state;
    assert_true(machine_memory() > 16u << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine__finds_the_lowest_memory_limit_of_its_groups),
        cmocka_unit_test(machine__finds_the_limit_of_version_1),
        cmocka_unit_test(machine__finds_the_limit_at_the_top_inside_a_container),
        cmocka_unit_test(machine__is_not_limited_by_what_it_cannot_read),
        cmocka_unit_test(machine__counts_cores_by_the_quota_rounded_up),
        cmocka_unit_test(machine__knows_the_quota_of_version_1),
        cmocka_unit_test(machine__has_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
