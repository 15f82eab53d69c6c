import Crypto
import Harness

/// Everything that can be measured. `wants` says which names are asked for: what only other cases
/// need is not prepared.
func allCases(_ wants: (String) -> Bool) -> [Case] {
    var cases: [Case] = []
    if ["peel.", "build.", "ticket.", "ack.", "luck."].contains(where: wants) {
        let network = Network()
        cases += peelCases(network) + buildCases(network) + ticketCases(network)
    }
    if wants("relay.") { cases += relayCases(Network()) + [libraryCase()] }
    return cases.filter { wants($0.name) }
}

/// Name of the kernel table in use.
func tableName() -> String { Kernels.table }
