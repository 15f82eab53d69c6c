import FuzzTargets
import Glibc

// dray-fuzz TARGET [libFuzzer options] [corpus folders]
//
// One executable for all targets: the first argument chooses, the others are libFuzzer's.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// libFuzzer's own main, which the linker brings along, wants it by this name.
@c(LLVMFuzzerTestOneInput)
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    FuzzTarget.runChosen([UInt8](UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

guard CommandLine.argc >= 2, FuzzTarget.choose(CommandLine.arguments[1]) else {
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
    print("usage: dray-fuzz TARGET [libFuzzer options]\ntargets: \(names)")
    exit(2)
}

// libFuzzer must not see the target's name.
let arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
    capacity: Int(CommandLine.argc)
)
arguments[0] = CommandLine.unsafeArgv[0]
for index in 2..<max(2, Int(CommandLine.argc)) {
    arguments[index - 1] = CommandLine.unsafeArgv[index]
}
arguments[Int(CommandLine.argc) - 1] = nil
var shifted = arguments
var count = CommandLine.argc - 1
exit(runDriver(&count, &shifted, testOneInput))
