import Conform
import JSON

/// A vector file: kind, text. Garbage gives failures, never a trap, and a file that says nothing is
/// not a pass.
func fuzzVectorFile(_ input: [UInt8]) {
    guard let kind = input.first else { return }
    let names = [
        "packet-head-x.json", "ack-packets-v4.json", "negative-head.json", "primitives-mix13.json",
        "commitment.json", "other.json",
    ]
    let text = Array(input.dropFirst())
    var conformance = Conformance()
    conformance.check(name: names[Int(kind) % names.count], bytes: text)
    precondition(conformance.files == 1)
    precondition(conformance.passed > 0 || !conformance.failures.isEmpty, "nothing was checked")

    guard let value = try? JSON.parse(text) else { return }
    // What was read is written so that it reads the same.
    let again = try? JSON.parse(value.description)
    precondition(again?.description == value.description)
}
