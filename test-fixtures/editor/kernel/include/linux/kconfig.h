/* What a configuration sets is asked for by the names of its symbols. */
#ifndef MINI_KCONFIG_H
#define MINI_KCONFIG_H
#endif
