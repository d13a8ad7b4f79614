/* How fast could a funnel be at all? The four steps of the benchmark, written out by hand: for each event the
   latest start from which each step was reached, in registers, and nothing but how many customers came how far.
   No other number of steps or order, no intervals, pending customers or times: nobody could use it. */

#include <stdint.h>

#define NEVER (INT64_MIN / 2)

void floor_funnel(const int32_t *customer, const int64_t *time, const int8_t *event, const uint8_t *step_of,
                  int64_t rows, int64_t within, int64_t *deepest)
{
    int64_t first = NEVER, second = NEVER, third = NEVER;
    int reached = 0;
    for (int64_t row = 0; row < rows; row++) {
        if (row && customer[row] != customer[row - 1]) {
            deepest[reached]++;
            first = second = third = NEVER;
            reached = 0;
        }
        int64_t since = time[row] - within;
        unsigned step = step_of[(uint8_t)event[row]];
        int fourth_ok = (step == 4) & (third >= since), third_ok = (step == 3) & (second >= since);
        int second_ok = (step == 2) & (first >= since), first_ok = step == 1;
        third = third_ok ? second : third;
        second = second_ok ? first : second;
        first = first_ok ? time[row] : first;
        reached |= first_ok | second_ok << 1 | third_ok << 2 | fourth_ok << 3;
    }
    if (rows)
        deepest[reached]++;
}
