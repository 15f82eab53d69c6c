#include "port_private.h"
#include <errno.h>
static int simulated_open(struct port *port) {
    (void)port;
    return -ENOSYS;
}
static void simulated_close(struct port *port) { (void)port; }
const struct backend port_simulated = {
    .kind = PORT_SIMULATED, .open = simulated_open, .close = simulated_close};
