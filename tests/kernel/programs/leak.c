/* leak [-f FILL_MIB] [-r KIB_PER_SECOND] [-l LIMIT_MIB]: allocates FILL_MIB at once, then leaks at that rate up to the
 * limit in all, then holds what it has.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define KIB 1024UL
#define PAGE 4096UL
#define STEPS_PER_SECOND 10UL

static int grow(unsigned long bytes)
{
    volatile char *memory = malloc(bytes); /* volatile: the compiler would leave out what nobody reads */

    for (unsigned long offset = 0; memory && offset < bytes; offset += PAGE)
        memory[offset] = 1;
    return memory != NULL;
}

int main(int argc, char **argv)
{
    unsigned long fill = 0, rate = 0, limit = ~0UL / KIB / KIB, taken;
    struct timespec step = {.tv_nsec = 1000000000L / STEPS_PER_SECOND};
    int option;

    while ((option = getopt(argc, argv, "f:r:l:")) != -1) {
        unsigned long value = strtoul(optarg ? optarg : "0", NULL, 10);

        if (option == 'f')
            fill = value * KIB * KIB;
        else if (option == 'r')
            rate = value * KIB;
        else if (option == 'l')
            limit = value;
        else
            return 2;
    }
    if (!grow(fill))
        return 1;
    for (taken = fill; rate && taken / KIB / KIB < limit; taken += rate / STEPS_PER_SECOND) {
        if (!grow(rate / STEPS_PER_SECOND))
            return 1;
        nanosleep(&step, NULL);
    }
    for (;;)
        pause();
}
