import Crypto
import Testing

@Test func `a table that is not there is not put in use`() {
    let table = Kernels.table
    #expect(!Kernels.use("none of ours"))
    #expect(Kernels.table == table)
}

// In a process of its own: other tests compute meanwhile.
@Test func `another table can be put in use and the first again`() async {
    await #expect(processExitsWith: .success) {
        let table = Kernels.table
        for name in ["scalar", "portable", table] {
            precondition(Kernels.use(name) && Kernels.table == name)
        }
    }
}
