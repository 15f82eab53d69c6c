import Node

/// The text of a configuration file: parsed or refused with places, never a trap.
func fuzzConfiguration(_ input: [UInt8]) {
    do {
        let first = try Configuration.parse(input, file: "dray.toml")
        // The same text means the same twice.
        let second = try Configuration.parse(input, file: "dray.toml")
        precondition(first.node.data == second.node.data)
    } catch {
        precondition(!error.issues.isEmpty)
        for issue in error.issues { precondition(!issue.reason.isEmpty) }
    }
}
