# SPDX-License-Identifier: MIT
# The example programs: built by make, never installed.
include examples/server/local.mk
