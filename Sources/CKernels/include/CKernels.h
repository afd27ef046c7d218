// SPDX-License-Identifier: Apache-2.0
#ifndef FIRN_CKERNELS_H
#define FIRN_CKERNELS_H
#include <stddef.h>
#include <stdint.h>
#endif
