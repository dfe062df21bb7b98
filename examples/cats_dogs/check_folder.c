/* SPDX-License-Identifier: MIT
 * Walks the folder by the rules of cnn_dataset_open(), but goes on where that would give up.  Links
 * are never followed below the path that was given. */
#include "check_folder.h"

#include "console.h"
#include "growing.h"
#include "listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The names that a part's folder may have; where there are both, the first is taken. */
enum { PART_NAMES = 3 };
static const char *const part_folders[PARTS][PART_NAMES] = {
    [TRAIN] = {"train", "training_set"},
    [VALIDATION] = {"val", "validation", "validation_set"},
    [TEST] = {"test", "test_set"},
};

/* Where the walk keeps what it finds, and in which part it is. */
struct walk {
    struct check_folder *folder;
    struct findings *findings;
    int part;
    int64_t trained_classes; /* of the training part, which are sorted */
    /* The names of the parts' folders in the one that is checked; NULL: there is none. */
    const char *part_folders[PARTS];
};

cnn_part part_number(int part)
{
    static const cnn_part numbers[PARTS] = {
        [TRAIN] = CNN_TRAIN, [VALIDATION] = CNN_VALIDATION, [TEST] = CNN_TEST};

    return numbers[part];
}

const char *part_name(int part)
{
    return cnn_part_name(part_number(part));
}

static bool complain_about_memory(void)
{
    console_error("no memory for the names of all files");
    return false;
}

/* "FOLDER/NAME", for the caller to free; NULL, after a message, without memory. */
static char *join(const char *folder, const char *name)
{
    const bool ends_in_slash = folder[0] != '\0' && folder[strlen(folder) - 1] == '/';
    char *path;

    if (asprintf(&path, "%s%s%s", folder, ends_in_slash ? "" : "/", name) >= 0)
        return path;
    complain_about_memory();
    return NULL;
}

/* ---- Files --------------------------------------------------------------------------------- */

static void find_link(const struct walk *walk, const char *path)
{
    char target[512];
    struct stat status;
    const ssize_t length = readlink(path, target, sizeof target - 1);

    target[length > 0 ? length : 0] = '\0';
    findings_add(walk->findings, FOUND_LINK, "%s: a %slink to %s", path,
                 stat(path, &status) == 0 ? "" : "broken ", target);
}

/* A file that training does not look at: what it is by its first bytes, as far as that is known. */
static void find_passed_over(const struct walk *walk, const char *path)
{
    unsigned char bytes[16];
    const int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const ssize_t count = file >= 0 ? read(file, bytes, sizeof bytes) : 0;
    const char *format = picture_format(bytes, count > 0 ? (size_t)count : 0);

    if (file >= 0)
        close(file);
    findings_add(walk->findings, FOUND_PASSED_OVER, "%s: %s%s", path,
                 format[0] != '\0' ? format : "not the name of a picture",
                 format[0] != '\0' ? " in a file that is not called .jpg, .jpeg or .png" : "");
}

/* Appends a file; takes over `path`. */
static bool add_file(struct walk *walk, char *path, int class)
{
    struct check_folder *folder = walk->folder;
    struct check_file *files = grown(folder->files, folder->file_count, sizeof *files);

    if (files == NULL) {
        free(path);
        return complain_about_memory();
    }
    folder->files = files;
    files[folder->file_count++] =
        (struct check_file){.path = path, .part = walk->part, .class = class};
    folder->classes[class].files[walk->part]++;
    return true;
}

static bool visit_file(struct walk *walk, const char *folder, const struct entry *entry, int class)
{
    char *path = join(folder, entry->name);

    if (path == NULL)
        return false;
    if (S_ISREG(entry->type) && is_picture_name(entry->name))
        return add_file(walk, path, class);
    if (S_ISLNK(entry->type))
        find_link(walk, path);
    else if (S_ISDIR(entry->type))
        findings_add(walk->findings, FOUND_PASSED_OVER, "%s: a folder in the folder of a class",
                     path);
    else if (S_ISREG(entry->type))
        find_passed_over(walk, path);
    else
        findings_add(walk->findings, FOUND_UNREADABLE, "%s: is no regular file", path);
    free(path);
    return true;
}

/* ---- Classes ------------------------------------------------------------------------------- */

static int by_class_name(const void *a, const void *b)
{
    return strcmp(((const struct check_class *)a)->name, ((const struct check_class *)b)->name);
}

/* The number of the class of this name in the part, a new one if it is not known; -1, after a
 * message, without memory. */
static int enter_class(struct walk *walk, const char *name)
{
    struct check_folder *folder = walk->folder;
    const struct check_class wanted = {.name = (char *)(uintptr_t)name};
    struct check_class *class =
        walk->trained_classes == 0
            ? NULL
            : bsearch(&wanted, folder->classes, (size_t)walk->trained_classes,
                      sizeof *folder->classes, by_class_name);

    if (class == NULL) {
        struct check_class *classes = grown(folder->classes, folder->class_count, sizeof *classes);
        char *copy = strdup(name);
        if (classes != NULL)
            folder->classes = classes;
        if (classes == NULL || copy == NULL) {
            free(copy);
            complain_about_memory();
            return -1;
        }
        class = &classes[folder->class_count++];
        *class = (struct check_class){.name = copy};
    }
    class->is_there[walk->part] = true;
    return (int)(class - folder->classes);
}

/* Takes the files of a folder as those of a class. */
static bool visit_files(struct walk *walk, const char *path, const struct listing *listing,
                        const char *name)
{
    const int class = enter_class(walk, name);
    bool done = class >= 0;

    for (int64_t i = 0; done && i < listing->count; i++)
        done = visit_file(walk, path, &listing->entries[i], class);
    if (done && walk->folder->classes[class].files[walk->part] == 0)
        findings_add(walk->findings, FOUND_FOLDER, "%s: a class without pictures", path);
    return done;
}

/* Lists a folder below that which was given.  One that cannot be read is a finding, and as if it
 * were empty, `is_there` being false. */
static bool list(struct listing *listing, bool *is_there, const struct walk *walk, const char *path)
{
    *is_there = listing_read(listing, path);
    if (!*is_there && errno == ENOMEM)
        return complain_about_memory();
    if (!*is_there)
        findings_add(walk->findings, FOUND_FOLDER, "%s: %s", path, strerror(errno));
    return true;
}

static bool visit_class(struct walk *walk, const char *part_path, const char *name)
{
    struct listing listing = {0};
    bool is_there;
    char *path = join(part_path, name);
    const bool done = path != NULL && list(&listing, &is_there, walk, path) &&
                      (!is_there || visit_files(walk, path, &listing, name));

    listing_free(&listing);
    free(path);
    return done;
}

/* ---- Parts --------------------------------------------------------------------------------- */

/* What lies beside the folders of classes or of parts: only links, folders and pictures matter. */
static bool visit_stray(const struct walk *walk, const char *folder, const struct entry *entry)
{
    char *path = join(folder, entry->name);

    if (path == NULL)
        return false;
    if (S_ISLNK(entry->type))
        find_link(walk, path);
    else if (S_ISDIR(entry->type))
        findings_add(walk->findings, FOUND_PASSED_OVER, "%s: a folder beside that of %s", path,
                     part_name(TRAIN));
    else if (is_picture_name(entry->name))
        findings_add(walk->findings, FOUND_PASSED_OVER, "%s: a picture beside the folders", path);
    free(path);
    return true;
}

/* Pictures without folders of classes: training refuses that, but they can be checked. */
static bool visit_loose(struct walk *walk, const char *path, const struct listing *listing)
{
    findings_add(walk->findings, FOUND_FOLDER, "%s: no folders of classes in it", path);
    return listing->count == 0 || visit_files(walk, path, listing, "(no class)");
}

/* Whether an entry is the folder of a part; where that of train is missing, they lie among those of
 * classes. */
static bool is_part_folder(const struct walk *walk, const struct entry *entry)
{
    for (int part = 0; part < PARTS; part++) {
        if (entry->name == walk->part_folders[part])
            return true;
    }
    return false;
}

/* Visits the class folders in `listing`, of the folder at `path`. */
static bool visit_classes(struct walk *walk, const char *path, const struct listing *listing)
{
    const int64_t folders = listing_folders(listing);
    bool done = true;

    if (folders == 0)
        return visit_loose(walk, path, listing);
    if (folders == 1)
        findings_add(walk->findings, FOUND_FOLDER, "%s: only one class in it", path);
    for (int64_t i = 0; done && i < listing->count; i++) {
        const struct entry *entry = &listing->entries[i];
        if (!S_ISDIR(entry->type))
            done = visit_stray(walk, path, entry);
        else if (!is_part_folder(walk, entry))
            done = visit_class(walk, path, entry->name);
    }
    return done;
}

/* Visits a part, or the only folder in it where that has its name again. */
static bool visit_part(struct walk *walk, const char *folder, const char *name, bool is_inner)
{
    struct listing listing = {0};
    bool is_there;
    char *path = join(folder, name);
    bool done = path != NULL && list(&listing, &is_there, walk, path);

    if (done && is_there) {
        const struct entry *same = listing_find(&listing, name);
        const bool is_wrapped =
            !is_inner && same != NULL && S_ISDIR(same->type) && listing_folders(&listing) == 1;
        done =
            is_wrapped ? visit_part(walk, path, name, true) : visit_classes(walk, path, &listing);
    }
    listing_free(&listing);
    free(path);
    return done;
}

/* The name that the folder of a part has in `listing`; NULL where there is none. */
static const char *find_part(const struct listing *listing, int part)
{
    for (int i = 0; i < PART_NAMES && part_folders[part][i] != NULL; i++) {
        const struct entry *entry = listing_find(listing, part_folders[part][i]);
        if (entry != NULL && S_ISDIR(entry->type))
            return entry->name;
    }
    return NULL;
}

/* Whether an entry of DATA itself is one of the parts' folders. */
static bool is_part_name(const char *name)
{
    for (int i = 0; i < PARTS * PART_NAMES; i++) {
        const char *known = part_folders[i / PART_NAMES][i % PART_NAMES];
        if (known != NULL && strcmp(name, known) == 0)
            return true;
    }
    return false;
}

/* What training passes over beside the folders of parts. */
static bool visit_beside_parts(const struct walk *walk, const struct listing *listing)
{
    bool done = true;

    for (int64_t i = 0; done && i < listing->count; i++) {
        const struct entry *entry = &listing->entries[i];
        const bool is_nobodys = S_ISLNK(entry->type) && !is_part_name(entry->name);
        if (!is_part_folder(walk, entry) && !is_nobodys)
            done = visit_stray(walk, walk->folder->path, entry);
    }
    return done;
}

/* Training goes on where there is no folder for it, and takes that of another part for a class. */
static bool find_part_alone(const struct walk *walk, const char *name)
{
    char *path = join(walk->folder->path, name);

    if (path != NULL)
        findings_add(walk->findings, FOUND_FOLDER,
                     "%s: no folder train beside it, so that training takes it for a class", path);
    free(path);
    return path != NULL;
}

static bool visit_training(struct walk *walk, const struct listing *listing)
{
    const char *root = walk->folder->path;
    const char *train = walk->part_folders[TRAIN];

    if (train != NULL)
        return visit_beside_parts(walk, listing) && visit_part(walk, root, train, false);
    for (int part = TRAIN + 1; part < PARTS; part++) {
        if (walk->part_folders[part] != NULL && !find_part_alone(walk, walk->part_folders[part]))
            return false;
    }
    return visit_classes(walk, root, listing);
}

static bool visit_root(struct walk *walk, const struct listing *listing)
{
    for (int part = 0; part < PARTS; part++) {
        walk->part_folders[part] = find_part(listing, part);
        walk->folder->has[part] = part == TRAIN || walk->part_folders[part] != NULL;
    }
    bool done = visit_training(walk, listing);
    walk->trained_classes = walk->folder->class_count;
    for (walk->part = TRAIN + 1; done && walk->part < PARTS; walk->part++) {
        const char *name = walk->part_folders[walk->part];
        done = name == NULL || visit_part(walk, walk->folder->path, name, false);
    }
    return done;
}

/* ---- All ----------------------------------------------------------------------------------- */

bool check_folder_read(struct check_folder *folder, struct findings *findings, const char *path)
{
    struct walk walk = {.folder = folder, .findings = findings, .part = TRAIN};
    struct listing listing;

    *folder = (struct check_folder){.path = path};
    bool done = listing_read(&listing, path);
    if (done)
        done = visit_root(&walk, &listing);
    else
        console_error("%s: %s", path, strerror(errno));
    listing_free(&listing);
    return done;
}

void check_folder_free(struct check_folder *folder)
{
    for (int64_t i = 0; i < folder->file_count; i++) {
        free(folder->files[i].picture.problem);
        free(folder->files[i].path);
    }
    for (int64_t i = 0; i < folder->class_count; i++)
        free(folder->classes[i].name);
    free(folder->files);
    free(folder->classes);
}
