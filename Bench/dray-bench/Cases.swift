import Crypto
import Harness

/// Everything that can be measured; what takes long to set up is small in a run that measures
/// nothing.
func allCases(isShort: Bool) -> [Case] {
    let network = Network()
    return peelCases(network) + buildCases(network) + ticketCases(network)
        + issuerCases(network) + relayCases(network) + queueCases() + unackedCases(isShort: isShort)
        + linkCases() + frameCases() + libraryCases()
}

/// Name of the kernel table in use.
func tableName() -> String { Kernels.table }

/// Why the kernel table that was asked for cannot be had.
func kernelComplaint() -> String? { Kernels.complaint }
