/* The same, of the scanners as they are where there is no SSE2. */
#define NUMBER_PORTABLE 1

#include "../../../../src/base/number/number_scan.c"
#include "../../../../src/base/number/number_scan_one.c"
#include "test_number_scan.c"
