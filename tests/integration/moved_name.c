/* For LD_PRELOAD: the name agent.test has the address that the file $MOVED_NAME holds. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
    char address[64] = "";
    FILE *file;
    if (!name || strcmp(name, "agent.test"))
        return real(name, service, hints, found);
    file = fopen(getenv("MOVED_NAME"), "r");
    if (!file)
        return EAI_AGAIN;
    if (!fgets(address, sizeof address, file))
        address[0] = 0;
    fclose(file);
    return address[0] ? real(address, service, hints, found) : EAI_NONAME;
}
