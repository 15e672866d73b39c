/* pool MIB: maps MIB of the pool of huge pages, touches all of it and works on it at random, as a database does that was
 * given one.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define MIB (1024UL * 1024UL)
#define TOUCHES 200

int main(int argc, char **argv)
{
    const struct timespec pause = {.tv_nsec = 50000000L};
    size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) * MIB;
    volatile char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

    if (memory == MAP_FAILED)
        return 1;
    for (size_t offset = 0; offset < size; offset += 2 * MIB)
        memory[offset] = 1;
    for (;; nanosleep(&pause, NULL))
        for (int number = 0; number < TOUCHES; number++)
            ++memory[(size_t)random() % size];
}
