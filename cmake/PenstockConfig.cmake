# What find_package(Penstock) reads after `cmake --install`. Defines Penstock::penstock. Arrow comes
# from the pyarrow wheel of the Python that is found, or that Python_EXECUTABLE names.
include(CMakeFindDependencyMacro)
find_dependency(Python 3.11 COMPONENTS Interpreter)
include(${CMAKE_CURRENT_LIST_DIR}/Arrow.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/PenstockTargets.cmake)
