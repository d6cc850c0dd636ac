# Unit tests: one file each, with the modules that it links. Grouped by area.

# base
units += test_buf test_event
test_buf-use := base
test_event-use := base
