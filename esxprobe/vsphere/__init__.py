"""vSphere's API (pyvmomi, the extra `esxprobe[api]`): logins, and the service `Esxtop` of a host."""
