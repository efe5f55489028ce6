/* SPDX-License-Identifier: MIT */
/* What leaves the library: everything is built with hidden visibility but for what says this. */
#ifndef RV_BASE_EXPORT_H
#define RV_BASE_EXPORT_H

#define RV_EXPORT __attribute__((visibility("default")))

#endif
