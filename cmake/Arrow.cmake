# Finds Arrow C++ in the pyarrow wheel of the Python that builds us: headers and libraries are in
# it, but no CMake config. Defines Penstock::arrow, ::arrow_compute, ::parquet, ::arrow_dataset.
execute_process(
  COMMAND "${Python_EXECUTABLE}" -c
    "import os, pyarrow; print(os.path.dirname(pyarrow.__file__), pyarrow.cpp_build_info.so_version, pyarrow.__version__, sep=';')"
  OUTPUT_VARIABLE pyarrow_facts
  OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
list(GET pyarrow_facts 0 pyarrow_folder)
list(GET pyarrow_facts 1 pyarrow_soname)
list(GET pyarrow_facts 2 pyarrow_version)
if(NOT pyarrow_version MATCHES "^25\\.0\\.")
  message(FATAL_ERROR "Penstock is built with pyarrow 25.0.x; found: ${pyarrow_version}")
endif()

function(penstock_import_arrow name library)
  add_library(Penstock::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(Penstock::${name} PROPERTIES
    IMPORTED_LOCATION "${pyarrow_folder}/lib${library}.so.${pyarrow_soname}"
    INTERFACE_INCLUDE_DIRECTORIES "${pyarrow_folder}/include")
endfunction()

penstock_import_arrow(arrow arrow)
penstock_import_arrow(arrow_compute arrow_compute)
penstock_import_arrow(parquet parquet)
target_link_libraries(Penstock::arrow_compute INTERFACE Penstock::arrow)
target_link_libraries(Penstock::parquet INTERFACE Penstock::arrow)
