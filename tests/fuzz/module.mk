# Fuzz targets: one file each (LLVMFuzzerTestOneInput), seeds in corpus/NAME. Grouped by area.

# smtp
fuzzers += fuzz_smtp_line fuzz_smtp_data fuzz_smtp_reply
fuzz_smtp_line-use := wire base
fuzz_smtp_data-use := wire base
fuzz_smtp_reply-use := wire base

# packets
fuzzers += fuzz_ip
fuzz_ip-use := wire base

# spine
fuzzers += fuzz_channel
fuzz_channel-use := base

# audit
fuzzers += fuzz_syslog
fuzz_syslog-use := wire base
