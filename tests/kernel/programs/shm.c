/* shm MIB: creates a System V shared memory segment, fills it, detaches and exits without removing it. */
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define MIB (1024UL * 1024UL)

int main(int argc, char **argv)
{
    size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 16) * MIB;
    int segment = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    char *memory = segment < 0 ? (char *)-1 : shmat(segment, NULL, 0);

    if (memory == (char *)-1)
        return 1;
    memset(memory, 1, size);
    return shmdt(memory) != 0;
}
