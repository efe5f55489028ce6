# SPDX-License-Identifier: MIT
# What judges the source rather than the program.
EXTRA_DIST += \
	%D%/check-exports \
	%D%/check-layers \
	%D%/layers.list
