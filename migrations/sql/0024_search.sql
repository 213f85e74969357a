-- Search by a part of a name, a number or a holder: every three letters that follow each other point at their objects.
-- Only today's knowledge is searched.  Stands and quarters have nothing that a person would type.
CREATE INDEX ix_municipalities_search ON register.municipalities USING gin (name gin_trgm_ops, name_latin gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_parcels_search ON register.parcels USING gin (number gin_trgm_ops, address gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_forestries_search ON register.forestries USING gin (name gin_trgm_ops, code gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_forest_plots_search ON register.forest_plots USING gin (number gin_trgm_ops, cadastral_number gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_leases_search ON register.leases USING gin (number gin_trgm_ops, holder gin_trgm_ops, holder_inn gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_licences_search ON register.licences USING gin (number gin_trgm_ops, name gin_trgm_ops, holder gin_trgm_ops, holder_inn gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_deposits_search ON register.deposits USING gin (name gin_trgm_ops, number gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_waste_sites_search ON register.waste_sites USING gin (number gin_trgm_ops, name gin_trgm_ops, holder gin_trgm_ops, holder_inn gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_zones_search ON register.zones USING gin (number gin_trgm_ops, name gin_trgm_ops) WHERE sys_to = 'infinity';
CREATE INDEX ix_cutting_areas_search ON register.cutting_areas USING gin (number gin_trgm_ops, declaration gin_trgm_ops, holder gin_trgm_ops, holder_inn gin_trgm_ops) WHERE sys_to = 'infinity';
