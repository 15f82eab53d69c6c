import Crypto
import Harness

/// Everything that can be measured.
func allCases() -> [Case] {
    let fixture = Fixture()
    return sphinxCases(fixture) + ticketCases(fixture)
}

/// Name of the kernel table in use.
func tableName() -> String { Kernels.table }
