/* SPDX-License-Identifier: MIT
 * bench_program RUNS COMMAND [ARGUMENT...]: runs a program again and again, its output thrown away,
 * and prints the median and the shortest time from its start to its end, and its peak memory:
 *   bench_program 30 cats-dogs predict MODEL PICTURE       the first prediction of a process
 *   bench_program 1 cats-dogs train DATA --network classic --epochs 2   the memory of training */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RUNS = 1000 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Runs the command once; returns the seconds it took and raises *peak, in KB. */
static double run(char **command, long *peak)
{
    struct rusage usage;
    int status;
    const double start = now();
    const pid_t child = fork();

    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
        fprintf(stderr, "bench_program: %s failed\n", command[0]);
        exit(EXIT_FAILURE);
    }
    *peak = usage.ru_maxrss > *peak ? usage.ru_maxrss : *peak;
    return now() - start;
}

static int by_value(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

int main(int count, char **arguments)
{
    static double seconds[MOST_RUNS];
    const int runs = count > 2 ? atoi(arguments[1]) : 0;
    long peak = 0;

    if (runs < 1 || runs > MOST_RUNS) {
        fprintf(stderr, "usage: bench_program RUNS COMMAND [ARGUMENT...]\n");
        return EXIT_FAILURE;
    }
    for (int i = 0; i < runs; i++)
        seconds[i] = run(arguments + 2, &peak);
    qsort(seconds, (size_t)runs, sizeof *seconds, by_value);
    printf("%d runs: median %.1f ms, shortest %.1f ms, peak memory %.1f MB\n", runs,
           1e3 * seconds[runs / 2], 1e3 * seconds[0], (double)peak * 1024 / 1e6);
    return EXIT_SUCCESS;
}
