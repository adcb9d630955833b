# Finds the libraries that decode and encode images. Only static ones are taken, so that a wheel stands alone,
# and their names stay inside, so that another copy in the process (Pillow's) is not mixed up with
# ours. Defines Penstock::images.
add_library(Penstock::images INTERFACE IMPORTED GLOBAL)
foreach(library jpeg png16 webpdemux webp gif z)
  find_library(penstock_lib${library} NAMES lib${library}.a REQUIRED)
  mark_as_advanced(penstock_lib${library})
  target_link_libraries(Penstock::images INTERFACE ${penstock_lib${library}})
  target_link_options(Penstock::images INTERFACE "LINKER:--exclude-libs,lib${library}.a")
endforeach()
foreach(header jpeglib.h png.h webp/demux.h gif_lib.h zlib.h)
  find_path(penstock_folder_of_${header} NAMES ${header} REQUIRED)
  mark_as_advanced(penstock_folder_of_${header})
  target_include_directories(Penstock::images SYSTEM INTERFACE ${penstock_folder_of_${header}})
endforeach()

add_library(penstock_images_stderr STATIC ${CMAKE_CURRENT_LIST_DIR}/images_stderr.cc)
target_link_libraries(Penstock::images INTERFACE penstock_images_stderr)
target_link_options(Penstock::images INTERFACE "LINKER:--wrap=stderr")
