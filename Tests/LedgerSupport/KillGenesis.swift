package import Bytes

/// Who has what in the kill loops.
package var killGenesis: [(Address, UInt128)] {
    [
        (Player(1).address, 100_000_000), (Player(2).address, 1_000),
        (Player(3).address, 1_000_000),
    ]
}
