"""What importing the package costs."""

import subprocess
import sys


def test_importing_data_loads_no_compiler(tmp_path):
    code = "import sys, eventsim.data; print(sorted({'numba', 'h5py', 'cupy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=tmp_path)
    assert done.stdout.strip() == "[]"
