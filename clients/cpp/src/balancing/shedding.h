/// Load shedding: a share of the calls is refused while most calls fail by being slow (lars/balancing/shedding.py).
#pragma once

namespace lars::detail {

class Shedding {
public:
    /// The share of calls that is let in, 0.1 to 1.
    double admitted() const noexcept { return admitted_; }

    /// Counts a failed call.
    /// @param slow  whether it failed by being slow
    void failed(bool slow) noexcept;

    /// Decides for the next second or so from the results of this one.
    /// @param succeeded      successful calls since the last interval
    /// @param recent, usual  seconds that calls take now, and usually
    void interval(int succeeded, double recent, double usual) noexcept;

private:
    double admitted_ = 1, safe_ = 1;
    int calls_ = 0, failed_ = 0, slow_ = 0;
    bool falling_ = false;
};

}  // namespace lars::detail
