import Glibc
import Harness
import JSON

let usage = """
    dray-bench [NAME...] [--json FILE] [--against FILE] [--smoke]
               [--calls N]

    Measures each operation beside U, one libsodium X25519 in the same run.
    NAME is a suite (peel build tickets link relay curve load), a name or the beginning of one.
    The load suite takes two cores for itself and keeps its packets in .build/load; it runs only if
    it is typed.
    With --calls each is called so often and nothing is measured: for whoever counts instructions.

      dray-bench relay --json now.json
      dray-bench --against perf/baselines/now.json     exit 1 if a ratio is 10 % worse
    """

func fail(_ code: Int32, _ message: String) -> Never {
    say("dray-bench: \(message)")
    exit(code)
}

var arguments = Array(CommandLine.arguments.dropFirst())
if arguments.contains("--help") || arguments.contains("-h") {
    print(usage)
    exit(0)
}
if let complaint = kernelComplaint() { fail(2, complaint) }
let options: Options
switch Options.parse(arguments) {
case .success(let parsed): options = parsed
case .failure(let error): fail(2, "\(error.reason); see dray-bench --help")
}
exit(runBenchmarks(options))
