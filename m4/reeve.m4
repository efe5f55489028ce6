# SPDX-License-Identifier: MIT
# Macros of Reeve's configure.ac. Flags of ours end in RV_* variables and from there in AM_*;
# CFLAGS, CPPFLAGS and LDFLAGS belong to whoever builds.

# RV_REQUIRE(VARIABLE, MODULE, DEBIAN-PACKAGE): a library that the build cannot do without.
AC_DEFUN([RV_REQUIRE], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 was not found (Debian: $3; ./bootstrap installs it)])])
])

# RV_PKG_VERSION(MODULE, VARIABLE): the version found, for the summary.
AC_DEFUN([RV_PKG_VERSION], [$2=`$PKG_CONFIG --modversion $1 2>/dev/null`])

# RV_TRY_CFLAG(FLAG, IF-YES, [IF-NO]): whether the compiler takes FLAG without complaint.
AC_DEFUN([RV_TRY_CFLAG], [
  AS_VAR_PUSHDEF([rv_var], [rv_cv_cflag_$1])
  AC_CACHE_CHECK([whether $CC takes $1], [rv_var], [
    rv_save_cflags=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([rv_var], [yes])],
      [AS_VAR_SET([rv_var], [no])])
    CFLAGS=$rv_save_cflags
  ])
  AS_VAR_IF([rv_var], [yes], [$2], [$3])
  AS_VAR_POPDEF([rv_var])
])

# The dialect, and symbols that stay inside unless marked public.
AC_DEFUN([RV_COMPILER], [
  RV_LANG_CFLAGS=
  RV_TRY_CFLAG([-std=gnu11], [RV_LANG_CFLAGS="-std=gnu11"],
    [AC_MSG_ERROR([$CC does not speak gnu11])])
  RV_TRY_CFLAG([-fvisibility=hidden], [RV_LANG_CFLAGS="$RV_LANG_CFLAGS -fvisibility=hidden"],
    [AC_MSG_ERROR([$CC has no -fvisibility=hidden])])
  AC_SUBST([RV_LANG_CFLAGS])
])

AC_DEFUN([RV_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [turn compiler warnings into errors])],
    [], [enable_werror=no])
  RV_WARN_CFLAGS=
  m4_foreach_w([rv_flag], [
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations
    -Wold-style-definition -Wconversion -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef
    -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough -Wnested-externs -Wredundant-decls
    -Wunused-macros -Wlogical-op -Wduplicated-cond -Wcomma],
    [RV_TRY_CFLAG(rv_flag, [RV_WARN_CFLAGS="$RV_WARN_CFLAGS rv_flag"])])
  AS_IF([test "$enable_werror" = yes], [RV_WARN_CFLAGS="$RV_WARN_CFLAGS -Werror"])
  AC_SUBST([RV_WARN_CFLAGS])
])

# --with-sanitizer=address,undefined: the flags are needed to compile and to link.
AC_DEFUN([RV_SANITIZER], [
  AC_ARG_WITH([sanitizer],
    [AS_HELP_STRING([--with-sanitizer=LIST],
      [build with sanitizers, separated by commas: address, undefined, leak, thread])],
    [rv_sanitizer=$with_sanitizer], [rv_sanitizer=no])
  RV_SAN_FLAGS=
  AS_CASE([$rv_sanitizer],
    [no], [rv_sanitizer=none],
    [yes|""], [AC_MSG_ERROR([--with-sanitizer wants a list, such as address,undefined])],
    [RV_SAN_FLAGS="-fsanitize=$rv_sanitizer -fno-sanitize-recover=undefined"
     RV_SAN_FLAGS="$RV_SAN_FLAGS -fno-omit-frame-pointer -g"
     rv_save_cflags=$CFLAGS
     CFLAGS="$CFLAGS $RV_SAN_FLAGS"
     AC_MSG_CHECKING([whether $CC links with -fsanitize=$rv_sanitizer])
     AC_LINK_IFELSE([AC_LANG_PROGRAM], [AC_MSG_RESULT([yes])],
       [AC_MSG_RESULT([no])
        AC_MSG_ERROR([$CC cannot link with -fsanitize=$rv_sanitizer (for clang, Debian: libclang-rt-dev)])])
     CFLAGS=$rv_save_cflags])
  AC_SUBST([RV_SAN_FLAGS])
  AC_SUBST([RV_SANITIZER], [$rv_sanitizer])
  AM_CONDITIONAL([SANITIZED], [test -n "$RV_SAN_FLAGS"])
])

AC_DEFUN([RV_COVERAGE], [
  AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [build for gcov; see 'make coverage'])],
    [], [enable_coverage=no])
  RV_COV_FLAGS=
  AS_IF([test "$enable_coverage" = yes],
    [RV_TRY_CFLAG([--coverage], [RV_COV_FLAGS="--coverage -O0 -g"],
      [AC_MSG_ERROR([$CC has no --coverage])])])
  AC_SUBST([RV_COV_FLAGS])
  AM_CONDITIONAL([COVERAGE], [test "$enable_coverage" = yes])
])

# Optimised as a whole when it is linked: calls from one file to another cost a sixth of a small batch
# call's time otherwise. The object files keep their machine code beside it (fat), for nm, for whoever
# links the archive, and for the tests, which are linked as they are.
AC_DEFUN([RV_LTO], [
  AC_ARG_ENABLE([lto],
    [AS_HELP_STRING([--enable-lto],
      [optimise libreeve as a whole when it is linked (default: with -O2 and more, if the compiler can)])],
    [], [enable_lto=auto])
  RV_LTO_FLAGS=
  RV_NO_LTO_FLAGS=
  AS_IF([test "$enable_lto" = auto],
    [AS_CASE([" $CFLAGS $RV_SAN_FLAGS $RV_COV_FLAGS "],
      [*sanitize*|*coverage*], [enable_lto=no],
      [*" -O"[[23s]]" "*|*" -Ofast "*], [],
      [enable_lto=no])])
  AS_IF([test "$enable_lto" != no], [
    AC_CACHE_CHECK([whether $CC optimises when it links], [rv_cv_lto], [
      rv_save_cflags=$CFLAGS
      CFLAGS="$CFLAGS -Werror -flto=auto -ffat-lto-objects"
      AC_LINK_IFELSE([AC_LANG_PROGRAM], [rv_cv_lto=yes], [rv_cv_lto=no])
      CFLAGS=$rv_save_cflags
    ])
    AS_IF([test "$rv_cv_lto$enable_lto" = noyes],
      [AC_MSG_ERROR([$CC takes no -flto=auto -ffat-lto-objects; gcc from 10 on does])])
    enable_lto=$rv_cv_lto
  ])
  AS_IF([test "$enable_lto" = yes],
    [RV_LTO_FLAGS="-flto=auto -ffat-lto-objects"
     RV_NO_LTO_FLAGS="-fno-lto"])
  AC_SUBST([RV_LTO_FLAGS])
  AC_SUBST([RV_NO_LTO_FLAGS])
])

# The export map, and no symbol left open in the shared library. clang leaves its sanitizer
# runtime to the program, so there the second one has to go.
AC_DEFUN([RV_EXPORT_MAP], [
  AC_CACHE_CHECK([whether the linker takes a version script], [rv_cv_version_script], [
    rv_save_ldflags=$LDFLAGS
    LDFLAGS="$LDFLAGS -shared -fPIC -Wl,--version-script=$srcdir/src/reeve.map"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[int reeve_probe(void); int reeve_probe(void) { return 0; }]])],
      [rv_cv_version_script=yes], [rv_cv_version_script=no])
    LDFLAGS=$rv_save_ldflags
  ])
  AS_IF([test "$rv_cv_version_script" = no],
    [AC_MSG_ERROR([the linker takes no version script; GNU ld, gold, lld and mold do])])
  RV_LIB_LDFLAGS=
  AS_IF([test -z "$RV_SAN_FLAGS"], [RV_LIB_LDFLAGS="-Wl,-z,defs"])
  AC_SUBST([RV_LIB_LDFLAGS])
])

# The parts of PACKAGE_VERSION, for include/reeve/version.h.
AC_DEFUN([RV_VERSION], [
  REEVE_VERSION_MAJOR=`echo "$PACKAGE_VERSION" | $SED 's/^\([[0-9]]*\)\..*/\1/'`
  REEVE_VERSION_MINOR=`echo "$PACKAGE_VERSION" | $SED 's/^[[0-9]]*\.\([[0-9]]*\)\..*/\1/'`
  REEVE_VERSION_PATCH=`echo "$PACKAGE_VERSION" | $SED 's/^[[0-9]]*\.[[0-9]]*\.\([[0-9]]*\).*/\1/'`
  AC_SUBST([REEVE_VERSION_MAJOR])
  AC_SUBST([REEVE_VERSION_MINOR])
  AC_SUBST([REEVE_VERSION_PATCH])
])
