/* commit LEAVE_MIB [ASK_MIB]: reserves address space, which it never touches, until only LEAVE_MIB of CommitLimit are
 * left, and asks for ASK_MIB more every second: twice as much as is left unless told otherwise, nothing with 0.
 *
 * Under vm.overcommit_memory=2 the kernel refuses more than is left and logs it. What is left lets others log in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1024UL * 1024UL)

static unsigned long field_mib(const char *field)
{
    char line[128];
    unsigned long kib;
    FILE *meminfo = fopen("/proc/meminfo", "r");

    while (meminfo && fgets(line, sizeof(line), meminfo))
        if (!strncmp(line, field, strlen(field)) && sscanf(line + strlen(field), ": %lu", &kib) == 1) {
            fclose(meminfo);
            return kib / 1024;
        }
    exit(1);
}

static void *reserve(unsigned long mib)
{
    return mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(int argc, char **argv)
{
    unsigned long leave = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
    unsigned long ask = argc > 2 ? strtoul(argv[2], NULL, 10) : 2 * leave;
    unsigned long limit = field_mib("CommitLimit"), committed = field_mib("Committed_AS");

    if (limit <= committed + leave || reserve(limit - committed - leave) == MAP_FAILED)
        return 1;
    for (;; sleep(1)) {
        void *more = ask ? reserve(ask) : MAP_FAILED;

        if (more != MAP_FAILED)
            munmap(more, ask * MIB);
    }
}
