import os
import platform

print(f"{os.environ.get('GREETING', 'hello')} world from Python {platform.python_version()}")
