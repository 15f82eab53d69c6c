print("dray-bench")
