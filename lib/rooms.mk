# SPDX-License-Identifier: GPL-2.0
# The rooms of the allocator, from the lowest up: a room uses itself and those before it.
lib-rooms := base page object zone client front
# The environment of native programs.
host-env := env/host/env env/host/strings
