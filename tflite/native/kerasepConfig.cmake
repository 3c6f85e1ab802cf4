# find_package(kerasep) defines kerasep::kerasep, the shared library, and kerasep::static.
get_filename_component(_kerasep_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET kerasep::kerasep)
  add_library(kerasep::kerasep SHARED IMPORTED)
  set_target_properties(kerasep::kerasep PROPERTIES
    IMPORTED_LOCATION "${_kerasep_prefix}/lib/libkerasep.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_kerasep_prefix}/include")
  add_library(kerasep::static STATIC IMPORTED)
  set_target_properties(kerasep::static PROPERTIES
    IMPORTED_LOCATION "${_kerasep_prefix}/lib/libkerasep.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_kerasep_prefix}/include"
    INTERFACE_LINK_LIBRARIES "${_kerasep_prefix}/lib/kerasep/libLiteRt.so;cjson;soxr;m")
endif()
unset(_kerasep_prefix)
