#include "hosts.h"
int main(int argc, char ** argv) { hosts_begin(argc, argv); return conformance_end(); }
