import Glibc

exit(Verbs.run(Array(CommandLine.arguments.dropFirst())))
