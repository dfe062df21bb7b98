/* SPDX-License-Identifier: MIT
 * oneDNN (C interface of version 2) as onednn_step.h wants it: lists of primitives to run in order,
 * and memory that is reordered only where a primitive wants another format. */
#ifndef CNN_BENCH_ONEDNN_H
#define CNN_BENCH_ONEDNN_H

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COMMANDS = 64, MOST_ARGUMENTS = 6 };

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check_peer(dnnl_status_t status)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "bench: oneDNN says %d\n", (int)status);
    exit(2);
}

/* ---- Lists of primitives to run ---- */

struct command {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MOST_ARGUMENTS];
    int count;
};

struct list {
    struct command commands[MOST_COMMANDS];
    int count, reorders;
};

/* `arguments` end with a zero. */
static void append(struct list *list, const_dnnl_primitive_desc_t description,
                   const dnnl_exec_arg_t *arguments)
{
    struct command *command = &list->commands[list->count++];
    check_peer(dnnl_primitive_create(&command->primitive, description));
    for (; arguments[command->count].arg != 0; command->count++)
        command->arguments[command->count] = arguments[command->count];
}

static void run(const struct list *list)
{
    for (int i = 0; i < list->count; i++) {
        const struct command *command = &list->commands[i];
        check_peer(
            dnnl_primitive_execute(command->primitive, stream, command->count, command->arguments));
    }
    check_peer(dnnl_stream_wait(stream));
}

/* NULL where oneDNN has no such primitive. */
static dnnl_primitive_desc_t describe(const void *operation, const_dnnl_primitive_attr_t attributes,
                                      const_dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_desc_create(&description, operation, attributes, engine, hint);
    return description;
}

/* ---- Memory and its formats ---- */

static dnnl_memory_desc_t with_tag(int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t description;
    dnnl_dims_t shape = {0};
    memcpy(shape, dims, (size_t)rank * sizeof *dims);
    check_peer(dnnl_memory_desc_init_by_tag(&description, rank, shape, dnnl_f32, tag));
    return description;
}

/* PyTorch's layout. */
static dnnl_memory_desc_t plain(int rank, const int64_t *dims)
{
    static const dnnl_format_tag_t tags[] = {[1] = dnnl_a, [2] = dnnl_ab, [4] = dnnl_abcd};
    return with_tag(rank, dims, tags[rank]);
}

static dnnl_memory_desc_t any(int rank, const int64_t *dims)
{
    return with_tag(rank, dims, dnnl_format_tag_any);
}

static const dnnl_memory_desc_t *wanted(const_dnnl_primitive_desc_t description, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(description, what, 0);
}

static const dnnl_memory_desc_t *format_of(const_dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *description;
    check_peer(dnnl_memory_get_memory_desc(memory, &description));
    return description;
}

static float *data_of(const_dnnl_memory_t memory)
{
    void *data;
    check_peer(dnnl_memory_get_data_handle(memory, &data));
    return data;
}

/* Memory of zeros. */
static dnnl_memory_t allocate(const dnnl_memory_desc_t *description)
{
    dnnl_memory_t memory;
    check_peer(dnnl_memory_create(&memory, description, engine, DNNL_MEMORY_ALLOCATE));
    memset(data_of(memory), 0, dnnl_memory_desc_get_size(description));
    return memory;
}

static void append_reorder(struct list *list, dnnl_memory_t to, dnnl_memory_t from)
{
    dnnl_primitive_desc_t reorder;
    check_peer(dnnl_reorder_primitive_desc_create(&reorder, format_of(from), engine, format_of(to),
                                                  engine, NULL));
    append(list, reorder, (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {0, NULL}});
    dnnl_primitive_desc_destroy(reorder);
    list->reorders++;
}

/* `memory` in another format: itself where it has that, or a copy that `list` makes. */
static dnnl_memory_t as(struct list *list, dnnl_memory_t memory, const dnnl_memory_desc_t *format)
{
    if (dnnl_memory_desc_equal(format_of(memory), format))
        return memory;
    dnnl_memory_t copy = allocate(format);
    append_reorder(list, copy, memory);
    return copy;
}

static void copy(dnnl_memory_t to, dnnl_memory_t from)
{
    struct list list = {.count = 0};
    append_reorder(&list, to, from);
    run(&list);
    dnnl_primitive_destroy(list.commands[0].primitive);
}

#endif
