/* SPDX-License-Identifier: MIT
 * Into how many items the work of a training step or a prediction is cut, and how many times as
 * fast the cutting alone lets it become on more threads:
 *   count_items train|predict NETWORK [--batch N] [--steps N]
 * A line for what a layer does in one file of lib/ops (op_conv2d_grad.c and op_winograd_grad.c are
 * backward-weights), with the numbers of items of its lists.  On t threads a list takes
 * ceil(items / t) times an item; a line, and the whole, is the sum over its lists, each weighed by
 * its time on one thread, and over the rest, which is in no list (the clock for one).  What the
 * threads cost, and that they share the memory, is not in it.
 *
 * It is linked so that the calls of cnni_parallel() and cnni_parallel_range() come here first
 * (CMakeLists.txt), and takes the place of the classes of the model's layers to know whose work it
 * is.  Needs addr2line. */
#include <stdbool.h>
#include <unistd.h>

#include "bench/harness.h"
#include "bench/machine.h"
#include "bench/networks.h"

#include "base/parallel.h"
#include "model/model_internal.h"
#include "ops/op_range.h"

enum { MOST_LISTS = 2000, WARM_UP = 3 };

/* ---- Who is at work ---- */

static const char *layer_name = "", *pass_name = "step";

/* A class whose passes say so; it begins with what the library looks at. */
struct watched {
    struct cnni_layer_class class;
    const struct cnni_layer_class *original;
};

static void watch(void (*run)(const struct cnni_layer_run *), const struct cnni_layer_run *one,
                  const char *pass)
{
    layer_name = one->plan->layer->name;
    pass_name = pass;
    run(one);
    layer_name = "";
    pass_name = "step";
}

static const struct cnni_layer_class *original_of(const struct cnni_layer_run *run)
{
    return ((const struct watched *)run->plan->layer->class)->original;
}

static void forward(const struct cnni_layer_run *run)
{
    watch(original_of(run)->forward, run, "forward");
}

static void backward(const struct cnni_layer_run *run)
{
    watch(original_of(run)->backward, run, "backward");
}

static void watch_layers(cnn_model *model, struct watched *watched)
{
    for (int32_t i = 0; i < model->node_count; i++) {
        cnn_layer *layer = model->nodes[i].layer;
        watched[i] = (struct watched){*layer->class, layer->class};
        watched[i].class.forward = forward;
        watched[i].class.backward = backward;
        layer->class = &watched[i].class;
    }
}

static void stop_watching(cnn_model *model, const struct watched *watched)
{
    for (int32_t i = 0; i < model->node_count; i++)
        model->nodes[i].layer->class = watched[i].original;
}

/* ---- Lists of items ---- */

struct list {
    const char *layer, *pass;
    uintptr_t function; /* that does one item */
    int64_t items;
    double seconds;
    char file[100]; /* where that function is */
    bool printed;
};

static struct list lists[MOST_LISTS];
static int list_count;
static bool counting;
static uintptr_t range_function; /* of the range that is being cut, else 0 */

static struct list *find_list(uintptr_t function, int64_t items)
{
    struct list *list = lists;
    for (; list < lists + list_count; list++)
        if (list->layer == layer_name && list->pass == pass_name && list->function == function &&
            list->items == items)
            return list;
    if (list_count == MOST_LISTS) {
        fprintf(stderr, "count_items: more than %d lists\n", MOST_LISTS);
        exit(EXIT_FAILURE);
    }
    *list = (struct list){.layer = layer_name, .pass = pass_name, .function = function};
    list->items = items;
    list_count++;
    return list;
}

/* The linker's names for the functions that are watched. */
void __real_cnni_parallel(cnn_context *context, int32_t lanes, int64_t items, cnni_item_fn *run,
                          void *task);
void __real_cnni_parallel_range(cnn_context *context, int32_t lanes, int64_t count, int64_t size,
                                cnni_range_fn *run, void *task);
void __wrap_cnni_parallel(cnn_context *context, int32_t lanes, int64_t items, cnni_item_fn *run,
                          void *task);
void __wrap_cnni_parallel_range(cnn_context *context, int32_t lanes, int64_t count, int64_t size,
                                cnni_range_fn *run, void *task);

void __wrap_cnni_parallel(cnn_context *context, int32_t lanes, int64_t items, cnni_item_fn *run,
                          void *task)
{
    const double start = bench_seconds();
    __real_cnni_parallel(context, lanes, items, run, task);
    if (!counting || items == 0)
        return;
    struct list *list = find_list(range_function == 0 ? (uintptr_t)run : range_function, items);
    list->seconds += bench_seconds() - start;
}

void __wrap_cnni_parallel_range(cnn_context *context, int32_t lanes, int64_t count, int64_t size,
                                cnni_range_fn *run, void *task)
{
    range_function = (uintptr_t)run;
    __real_cnni_parallel_range(context, lanes, count, size, run, task);
    range_function = 0;
}

/* ---- The table ---- */

extern const char __executable_start[]; /* the linker's name for where the program lies */

/* "op_conv2d.c" into list->file. */
static void find_file(struct list *list)
{
    char command[200];
    snprintf(command, sizeof command, "addr2line -s -e /proc/%d/exe 0x%lx", (int)getpid(),
             (unsigned long)(list->function - (uintptr_t)__executable_start));
    FILE *pipe = popen(command, "r");
    if (pipe == NULL || fscanf(pipe, "%99[^: \n]", list->file) != 1)
        strcpy(list->file, "?");
    if (pipe != NULL)
        pclose(pipe);
}

static const int64_t threads[] = {2, 8, 32, 64};
enum { COLUMNS = sizeof threads / sizeof threads[0] };

/* A line of the table: lists that are printed together, or all. */
struct line {
    char items[200];
    double seconds, on_threads[COLUMNS];
};

static void add_seconds(struct line *line, double seconds, int64_t items)
{
    line->seconds += seconds;
    for (int i = 0; i < COLUMNS; i++)
        line->on_threads[i] +=
            seconds * (double)((items + threads[i] - 1) / threads[i]) / (double)items;
}

static void add_list(struct line *line, struct list *list)
{
    const size_t length = strlen(line->items);
    add_seconds(line, list->seconds, list->items);
    snprintf(line->items + length, sizeof line->items - length, "%s%lld", length > 0 ? ", " : "",
             (long long)list->items);
    list->printed = true;
}

/* The list and all that belong to it. */
static void add_lists(struct line *line, struct list *first)
{
    for (struct list *list = first; list < lists + list_count; list++)
        if (list->layer == first->layer && list->pass == first->pass &&
            strcmp(list->file, first->file) == 0)
            add_list(line, list);
}

static void print_line(const char *layer, const char *pass, const char *file,
                       const struct line *line, double all)
{
    printf("| %s | %s | %s | %s | %.1f |", layer, pass, file, line->items,
           100 * line->seconds / all);
    for (int i = 0; i < COLUMNS; i++)
        printf(" %.1f |", line->seconds / line->on_threads[i]);
    printf("\n");
}

static void print_table(double seconds)
{
    struct line all = {.items = ""}, rest = {.items = "1"};
    for (int i = 0; i < list_count; i++) {
        find_file(&lists[i]);
        add_seconds(&all, lists[i].seconds, lists[i].items);
    }
    add_seconds(&rest, seconds - all.seconds, 1);
    add_seconds(&all, rest.seconds, 1);
    printf("\n| layer | pass | where | items | %% of the time | 2 threads | 8 | 32 | 64 |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < list_count; i++) {
        struct line line = {.items = ""};
        if (lists[i].printed)
            continue;
        add_lists(&line, &lists[i]);
        print_line(lists[i].layer, lists[i].pass, lists[i].file, &line, seconds);
    }
    print_line("", "", "in no list", &rest, seconds);
    print_line("all", "", "", &all, seconds);
}

/* ---- What is run ---- */

static double run_training(cnn_context *context, cnn_model *model, cnn_tensor *inputs,
                           int64_t batch, int64_t steps)
{
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_tensor *labels = alternating_labels(context, batch);
    const cnn_tensor *input = inputs, *target = labels;
    double start = 0;
    check(cnn_sgd_create(&optimizer, context, 1e-4));
    check(cnn_sgd_set_momentum(optimizer, 0.9));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, batch));
    for (int64_t i = -WARM_UP; i < steps; i++) {
        counting = i >= 0;
        start = i == 0 ? bench_seconds() : start;
        check(cnn_trainer_step(NULL, trainer, &input, 1, &target, 1));
    }
    const double seconds = bench_seconds() - start;
    counting = false;
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_tensor_free(labels);
    return seconds;
}

static double run_prediction(cnn_context *context, cnn_model *model, cnn_tensor *inputs,
                             int64_t batch, int64_t steps)
{
    const int64_t shape[] = {batch, 2};
    const cnn_tensor *input = inputs;
    cnn_session *session;
    cnn_tensor *outputs;
    double start = 0;
    check(cnn_tensor_create(&outputs, context, CNN_FLOAT32, shape, 2));
    check(cnn_session_create(&session, model, batch));
    for (int64_t i = -WARM_UP; i < steps; i++) {
        counting = i >= 0;
        start = i == 0 ? bench_seconds() : start;
        check(cnn_session_run(session, &outputs, 1, &input, 1));
    }
    const double seconds = bench_seconds() - start;
    counting = false;
    cnn_session_free(session);
    cnn_tensor_free(outputs);
    return seconds;
}

int main(int argc, char **argv)
{
    const bool train = argc > 1 && strcmp(argv[1], "train") == 0;
    if (argc < 3 || (!train && strcmp(argv[1], "predict") != 0)) {
        fprintf(stderr, "usage: count_items train|predict NETWORK [--batch N] [--steps N]\n");
        return EXIT_FAILURE;
    }
    const struct network *network = find(argv[2]);
    const int64_t batch = option(argc, argv, "--batch", train ? 32 : 1);
    const int64_t steps = option(argc, argv, "--steps", train ? 10 : 100);
    cnn_context *context;
    check(cnn_context_create(&context));
    check(cnn_context_set_threads(context, 1));
    cnn_model *model = build(context, network);
    cnn_tensor *inputs = noise(context, network, batch);
    struct watched *watched = calloc((size_t)model->node_count, sizeof *watched);
    watch_layers(model, watched);
    const double seconds = train ? run_training(context, model, inputs, batch, steps)
                                 : run_prediction(context, model, inputs, batch, steps);
    print_machine();
    printf("libcnn %s %s, %s %s, batch %lld, %.2f ms\n", cnn_version_string(),
           cnn_context_cpu_name(context), argv[1], network->name, (long long)batch,
           1e3 * seconds / (double)steps);
    print_table(seconds);
    stop_watching(model, watched);
    free(watched);
    cnn_tensor_free(inputs);
    cnn_model_free(model);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
