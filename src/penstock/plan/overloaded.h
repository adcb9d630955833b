#pragma once

namespace penstock {

/// Makes one visitor for std::visit out of several lambdas.
template <typename... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};
template <typename... Callables>
Overloaded(Callables...) -> Overloaded<Callables...>;

}  // namespace penstock
