/* queue FILL_MIB KIB_PER_SECOND: puts messages that nobody will read into a System V message queue: FILL_MIB at once,
 * then at that rate for ever.
 *
 * They lie in the kernel's slab, in no process and no file, and stay when this one ends.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <time.h>

#define KIB 1024UL
#define STEPS_PER_SECOND 10UL
#define HEAD 48UL /* of a message in the kernel: with its text it fills an object of 1 KiB */

struct message {
    long type;
    char text[KIB - HEAD];
};

static int put(int queue, unsigned long messages)
{
    static struct message one = {.type = 1};

    while (messages--)
        if (msgsnd(queue, &one, sizeof(one.text), 0))
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    const struct timespec step = {.tv_nsec = 1000000000L / STEPS_PER_SECOND};
    unsigned long fill = argc > 2 ? strtoul(argv[1], NULL, 10) * KIB : 0;
    unsigned long rate = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    struct msqid_ds about;

    if (queue < 0 || msgctl(queue, IPC_STAT, &about))
        return 1;
    about.msg_qbytes = ~0UL >> 1;
    if (msgctl(queue, IPC_SET, &about) || put(queue, fill))
        return 1;
    while (put(queue, rate / STEPS_PER_SECOND) == 0)
        nanosleep(&step, NULL);
    return 1;
}
