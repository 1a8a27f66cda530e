/* flock with NFS's rules, for processes that load this library before libc: underneath it is a lock of bytes, so an
   exclusive one takes a file that is open for writing, a shared one a file open for reading, and a folder has none. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int flock(int file, int operation) {
    struct stat there;
    int mode = fcntl(file, F_GETFL) & O_ACCMODE, kind = operation & ~LOCK_NB;
    int folder = fstat(file, &there) == 0 && S_ISDIR(there.st_mode);
    if (folder || (kind == LOCK_EX && mode == O_RDONLY) || (kind == LOCK_SH && mode == O_WRONLY)) {
        errno = EBADF;
        return -1;
    }
    return (int)syscall(SYS_flock, file, operation);
}
