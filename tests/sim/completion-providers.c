#include "tests/sim/completion-world.h"
