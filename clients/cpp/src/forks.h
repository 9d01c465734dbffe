/// How often this process has been forked, as its children see it.
#pragma once

namespace lars::detail {

/// Another number in the child of a fork than in its parent.
unsigned forks() noexcept;

}  // namespace lars::detail
